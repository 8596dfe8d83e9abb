import type { StepError } from '#contracts';
import { reportableText } from '#sdk';

/** How a step process ended. `lastWords`: the end of what it wrote to stderr past the log. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastWords: string;
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** The failure of a step whose process died under it. Retryable: a bound on worker losses and attempts ends a step that kills each time. */
export function deathOf({ code, signal, lastWords }: ProcessExit): StepError {
  const status = code ?? (signal ? 128 + (signalNumbers[signal] ?? 0) : 0);
  const how = signal ? `was ended by ${signal} (exit code ${status})` : `ended with exit code ${status}`;
  const why = outOfMemory(signal, lastWords) ?? firstLine(lastWords);
  return {
    code: 'step.worker_process_died',
    message: reportableText(`The step's process ${how}${why ? `: ${why}` : '.'}`, 1_000),
    retryable: true,
  };
}

function outOfMemory(signal: NodeJS.Signals | null, lastWords: string): string | null {
  if (lastWords.includes('heap out of memory')) return 'out of memory (the heap of JavaScript is full).';
  return signal === 'SIGKILL' ? 'out of memory, most likely; this worker did not send the signal.' : null;
}

/** An uncaught error prints its place first and its sentence a few lines on. */
function firstLine(lastWords: string): string {
  const lines = lastWords.split('\n').map((line) => line.trim());
  return lines.find((line) => /^\w*(Error|Exception)\b/.test(line)) ?? lines.find((line) => line !== '') ?? '';
}
