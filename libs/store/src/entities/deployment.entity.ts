import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('deployments')
export class DeploymentEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  name: string;

  @Column('text')
  pool: string;

  @Column('text', { nullable: true })
  environment: string | null;

  @Column('text', { nullable: true })
  team: string | null;

  @Column('text')
  namespace: string;

  @Column('int', { name: 'concurrency_limit', nullable: true })
  concurrencyLimit: number | null;
}
