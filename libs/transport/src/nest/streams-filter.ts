import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/**
 * Lets what a handler throws reach the streams: `@UseFilters(StreamsFilter)`. Nest's own filter replaces every error by
 * "Internal server error", which would hide which deliveries failed, and why.
 */
@Catch()
export class StreamsFilter implements RpcExceptionFilter {
  catch(thrown: unknown): Observable<never> {
    return throwError(() => thrown);
  }
}
