import type { ChangeWorkflow, VersionsQuery, WorkflowsQuery } from '#contracts';
import { DomainError, type Principal } from '#core';
import type { VersionSummaryRow, WorkflowEntity, WorkflowStore, WorkflowVersionRow } from '#store';
import type { Logger } from '#telemetry';
import { cursorOf, idFrom, isId, numbersFrom, pageFrom } from '../http/cursor.ts';
import { unknownWorkflow } from '../runs/run-preparer.ts';

/** Reads workflows, and changes what is not part of a version. */
export class WorkflowReader {
  constructor(
    private readonly workflows: WorkflowStore,
    private readonly logger: Logger,
  ) {}

  async list({ cursor, limit, label, ...filter }: WorkflowsQuery): Promise<{ items: WorkflowEntity[]; nextCursor: string | null }> {
    const labels = label && Object.fromEntries(label.map((text) => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]));
    const read = await this.workflows.list({ ...filter, labels }, idFrom('workflow', cursor), limit + 1);
    return pageFrom(read, limit, (last) => cursorOf('workflow', last.id));
  }

  /** Throws `workflow.unknown`. */
  async get(id: string): Promise<WorkflowEntity> {
    const workflow = isId(id) ? await this.workflows.find(id) : null;
    if (!workflow) throw unknownWorkflow(id);
    return workflow;
  }

  /** Throws `workflow.unknown`, `workflow.name_taken`, `environment.unknown`, `team.unknown`. The change is logged with who made it. */
  async change(id: string, change: ChangeWorkflow, caller: Principal): Promise<WorkflowEntity> {
    const before = await this.get(id);
    const after = await this.workflows.change(before.id, change);
    if (!after) throw unknownWorkflow(id);
    const from = { enabled: before.enabled, category: before.category, environment: before.environment, team: before.team };
    this.logger.info({ workflowId: id, actor: caller.name, keyId: caller.keyId, from, change }, 'workflow changed');
    return after;
  }

  async versions(id: string, { cursor, limit }: VersionsQuery): Promise<{ items: VersionSummaryRow[]; nextCursor: string | null }> {
    await this.get(id);
    const [before = null] = numbersFrom('version', cursor, 1) ?? [];
    const read = await this.workflows.listVersions(id, before, limit + 1);
    return pageFrom(read, limit, (last) => cursorOf('version', last.version));
  }

  /** Throws `workflow.unknown` and `version.unknown`. */
  async version(id: string, version: string): Promise<Omit<WorkflowVersionRow, 'plan'>> {
    await this.get(id);
    const row = /^[1-9]\d{0,8}$/.test(version) ? await this.workflows.findVersion(id, Number(version)) : undefined;
    if (!row)
      throw new DomainError(
        'version.unknown',
        'The workflow has no such version.',
        { workflowId: id, version: version.slice(0, 20) },
        'GET …/versions lists them.',
      );
    const { plan: _, ...shown } = row;
    return shown;
  }
}
