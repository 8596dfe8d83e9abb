import type { Logger } from '#telemetry';
import { BatchFailure, HandlerUnavailable, type Delivery } from '#transport';
import type { AdvanceMetrics } from '../advance/advance-metrics.ts';
import type { AdvanceService, Advanced } from '../advance/advance.service.ts';
import { isOutage } from '../advance/outage.ts';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import { readReports, type ReportIntake } from './report-intake.ts';

/** Applies what workers report, one batch in one transaction. A batch is acknowledged after its commit, when the reason of each verdict is known. */
export class ReportService {
  constructor(
    private readonly advance: AdvanceService,
    private readonly deployments: DeploymentDirectory,
    private readonly metrics: AdvanceMetrics,
    private readonly logger: Logger,
  ) {}

  /** Throws `BatchFailure` for reports that cannot be applied, `HandlerUnavailable` while the database is away. */
  async apply(batch: readonly Delivery[]): Promise<void> {
    // failpoint p9: the reports are read, and nothing has come of them
    const intake = readReports(batch, (deployment) => this.deployments.idOf(deployment), Math.random);
    const advanced = await this.advance.advance(intake.events).catch((error: unknown) => {
      if (!isOutage(error)) throw error;
      throw new HandlerUnavailable('The database cannot be reached; the reports wait.', error);
    });
    // failpoint p10: what the reports change is committed, and they are not acknowledged
    this.metrics.verdicts(advanced.verdicts.values());
    this.metrics.verdicts([...intake.malformed.keys()].map(() => 'malformed' as const));
    const failed = new Map([...intake.malformed, ...this.foreign(intake, advanced), ...this.refused(intake, advanced)]);
    if (failed.size > 0) throw new BatchFailure(failed, new Set(intake.malformed.keys()));
  }

  /** A worker speaks only for its own deployment's runs. */
  private foreign(intake: ReportIntake, { verdicts }: Advanced): [string, string][] {
    const foreign = [...verdicts].filter(([, verdict]) => verdict === 'foreign').flatMap(([event]) => intake.deliveryOf.get(event) ?? []);
    if (foreign.length > 0)
      this.logger.warn(
        { streams: [...new Set(foreign.map((delivery) => delivery.stream))] },
        'reports came from a deployment that their run does not belong to',
      );
    return foreign.map(({ id, stream }) => [id, `The report came by ${stream}, but its run belongs to another deployment.`]);
  }

  private refused(intake: ReportIntake, { refused }: Advanced): [string, string][] {
    return [...refused].flatMap(([runId, reason]) => {
      this.logger.error({ runId, reason }, 'the database refused the transitions of a run; its reports become dead letters');
      return (intake.events.get(runId) ?? [])
        .flatMap((event) => intake.deliveryOf.get(event) ?? [])
        .map(({ id }): [string, string] => [id, reason]);
    });
  }
}
