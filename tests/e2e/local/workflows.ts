import { fileURLToPath } from 'node:url';

export const HANDLERS = fileURLToPath(new URL('handlers.ts', import.meta.url));

/** One step of each kind. Input: `ledger`, an address that books effects. */
export const EVERY_KIND = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: every-kind }
spec:
  environment: production
  steps:
    call: { uses: http, with: { url: "\${{ input.ledger }}", method: POST } }
    shape: { uses: transform, needs: [call], with: { value: { numbers: [40, 2], status: "\${{ steps.call.output.status }}" } } }
    rest: { uses: delay, needs: [shape], with: { duration: 200ms } }
    join: { uses: noop, needs: [shape, rest] }
    sum: { uses: test/sum, needs: [join, shape], with: { numbers: "\${{ steps.shape.output.numbers }}" } }
`;

/** A step that hangs in the first process that runs it, and one that follows. Input: `folder`. */
export const STUCK_ONCE = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: stuck-once }
spec:
  environment: production
  steps:
    stuck: { uses: test/stuck-once, with: { folder: "\${{ input.folder }}" }, retry: { attempts: 3, backoff: 100ms } }
    after: { uses: noop, needs: [stuck] }
`;
