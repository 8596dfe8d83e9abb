import { PAYLOAD_DEPTH_MAX, REPORTS_TOGETHER_MAX, ReportMessage, isDeeperThan } from '#contracts';
import type { StepErrorView } from '#core';

/** A step whose output is too deep fails: beyond this, checking and storing it would overflow a stack. */
const OUTPUT_TOO_DEEP: StepErrorView = {
  code: 'step.output_too_deep',
  message: `The output is nested deeper than ${PAYLOAD_DEPTH_MAX} levels.`,
  retryable: false,
};

/** What a body tells, in its order: one report or several that travelled together, each by itself or with the reason why it is none. */
export function reportsIn(body: string): readonly (ReportMessage | string)[] {
  try {
    const told: unknown = JSON.parse(body);
    if (!Array.isArray(told)) return [reportOf(told)];
    if (told.length >= 1 && told.length <= REPORTS_TOGETHER_MAX) return told.map(reportOf);
    return [`The message is a list of ${told.length}; 1 to ${REPORTS_TOGETHER_MAX} reports travel together.`];
  } catch {
    return ['The message is no JSON.'];
  }
}

function reportOf(told: unknown): ReportMessage | string {
  const parsed = ReportMessage.safeParse(shallow(told));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `The message is no report: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
}

/** The report, its step failed when the output is nested too deep to be looked at. */
function shallow(report: unknown): unknown {
  if (typeof report !== 'object' || report === null || !('output' in report)) return report;
  if (!isDeeperThan(PAYLOAD_DEPTH_MAX, report.output)) return report;
  return { ...report, output: null, outcome: 'failed', error: OUTPUT_TOO_DEEP };
}
