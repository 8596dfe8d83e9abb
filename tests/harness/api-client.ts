import { paths, type ErrorBody, type RunDetail } from '#contracts';
import { eventually } from '#testing';

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** Speaks to the API as a program would: JSON in, JSON out, no retries of its own. */
export class ApiClient {
  constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  get authorization(): { readonly authorization: string } {
    return { authorization: `Bearer ${this.token}` };
  }

  async request<Body>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...this.authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  }

  /** Publishes a definition. Returns the workflow's id. */
  async apply(source: string): Promise<string> {
    const { status, body } = await this.request<{ workflow: { id: string } } & ErrorBody>('POST', paths.workflows, { source });
    if (status >= 300) throw new Error(`apply: ${status} ${JSON.stringify(body)}`);
    return body.workflow.id;
  }

  /** Starts a run. Returns its id. */
  async run(workflowId: string, input: unknown = {}, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const { status, body } = await this.request<{ id: string } & ErrorBody>('POST', paths.workflowRuns(workflowId), { input }, headers);
    if (status >= 300) throw new Error(`run: ${status} ${JSON.stringify(body)}`);
    return body.id;
  }

  async detail(runId: string): Promise<RunDetail> {
    return (await this.request<RunDetail>('GET', paths.run(runId))).body;
  }

  /** Waits until the run is in this state. */
  reaches(runId: string, state: RunDetail['state'], within = 20_000): Promise<RunDetail> {
    return eventually(
      async () => {
        const detail = await this.detail(runId);
        if (detail.state !== state) throw new Error(`it is ${detail.state}`);
        return detail;
      },
      { within, what: `run ${runId} to be ${state}` },
    );
  }

  /** Waits until the run has ended. */
  ended(runId: string, within = 30_000): Promise<RunDetail> {
    return eventually(
      async () => {
        const detail = await this.detail(runId);
        if (!['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'].includes(detail.state)) throw new Error(`run ${runId} is ${detail.state}`);
        return detail;
      },
      { within, what: `the end of run ${runId}` },
    );
  }
}
