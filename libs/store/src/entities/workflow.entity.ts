import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('workflows')
export class WorkflowEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  name: string;

  @Column('text', { nullable: true })
  environment: string | null;

  @Column('text', { nullable: true })
  team: string | null;

  @Column('boolean')
  enabled: boolean;

  @Column('text', { nullable: true })
  category: string | null;

  @Column('text', { name: 'created_by_id' })
  createdBy: string;

  @Column('jsonb')
  labels: Record<string, string>;

  @Column('int', { name: 'current_version' })
  currentVersion: number;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', insert: false })
  updatedAt: Date;
}
