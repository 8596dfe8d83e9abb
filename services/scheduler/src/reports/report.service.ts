import type { Logger } from '#telemetry';
import { HandlerUnavailable, type Delivery } from '#transport';
import type { AdvanceMetrics } from '../advance/advance-metrics.ts';
import type { AdvanceService, Advanced } from '../advance/advance.service.ts';
import { isOutage } from '../advance/outage.ts';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import { failureOf, type ReportFault } from './report-faults.ts';
import { readReports, type ReportIntake } from './report-intake.ts';

/** Applies what workers report, up to `reportsMax` in one transaction. A batch is acknowledged after its commits, when the reason of each verdict is known. */
export class ReportService {
  constructor(
    private readonly advance: AdvanceService,
    private readonly deployments: DeploymentDirectory,
    private readonly metrics: AdvanceMetrics,
    private readonly logger: Logger,
    private readonly reportsMax: number,
  ) {}

  /** Throws `BatchFailure` for deliveries with reports that cannot be applied, `HandlerUnavailable` while the database is away. */
  async apply(batch: readonly Delivery[]): Promise<void> {
    const idOf = (deployment: string) => this.deployments.idOf(deployment);
    const faults: ReportFault[] = [];
    for (const intake of readReports(batch, { idOf, dice: Math.random, reportsMax: this.reportsMax }))
      faults.push(...(await this.applyIntake(intake)));
    if (faults.length > 0) throw failureOf(faults);
  }

  private async applyIntake(intake: ReportIntake): Promise<ReportFault[]> {
    // failpoint p9: the reports are read, and nothing has come of them
    const advanced = await this.advance.advance(intake.events).catch((error: unknown) => {
      if (!isOutage(error)) throw error;
      throw new HandlerUnavailable('The database cannot be reached; the reports wait.', error);
    });
    // failpoint p10: what the reports change is committed, and they are not acknowledged
    this.metrics.verdicts(advanced.verdicts.values());
    this.metrics.verdicts(intake.malformed.map(() => 'malformed' as const));
    return [...intake.malformed, ...this.foreign(intake, advanced), ...this.refused(intake, advanced)];
  }

  /** A worker speaks only for its own deployment's runs. */
  private foreign({ originOf }: ReportIntake, { verdicts }: Advanced): ReportFault[] {
    const foreign = [...verdicts].filter(([, verdict]) => verdict === 'foreign').flatMap(([event]) => originOf.get(event) ?? []);
    if (foreign.length > 0)
      this.logger.warn(
        { streams: [...new Set(foreign.map(({ delivery }) => delivery.stream))] },
        'reports came from a deployment that their run does not belong to',
      );
    return foreign.map((origin) => {
      return {
        origin,
        reason: `The report came by ${origin.delivery.stream}, but its run belongs to another deployment.`,
        hopeless: false,
      };
    });
  }

  private refused({ events, originOf }: ReportIntake, { refused }: Advanced): ReportFault[] {
    return [...refused].flatMap(([runId, reason]) => {
      this.logger.error({ runId, reason }, 'the database refused the transitions of a run; its reports become dead letters');
      const origins = (events.get(runId) ?? []).flatMap((event) => originOf.get(event) ?? []);
      return origins.map((origin) => ({ origin, reason, hopeless: false }));
    });
  }
}
