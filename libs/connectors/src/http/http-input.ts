import { z } from 'zod';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** The connection's own headers: a step that set them could smuggle a second request into the first. */
const connectionHeaders = ['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive'];

const headers = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is no header name'),
    z
      .string()
      .max(8_192)
      .regex(/^[^\r\n\0]*$/, 'has a line break'),
  )
  .refine((given) => !Object.keys(given).some((name) => connectionHeaders.includes(name.toLowerCase())), {
    message: `may not set ${connectionHeaders.join(', ')}`,
  });

/** What an `http` step is given in `with`. */
export const HttpInput = z.strictObject({
  method: z
    .string()
    .default('GET')
    .transform((method) => method.toUpperCase())
    .pipe(z.enum(methods)),
  /** http or https, without credentials. */
  url: z.string().min(1).max(8_192),
  headers: headers.default({}),
  /** Added to the URL's own query; a list repeats its name. */
  query: z.record(z.string(), z.union([scalar, z.array(scalar)])).default({}),
  /** A string is sent as it is, anything else as JSON. */
  body: z.json().optional(),
  /** Statuses that count as success. Default: 200 to 299. */
  expectStatus: z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)]).optional(),
  /** `auto`: JSON where the answer says so, else text. `none`: the body is read and dropped. */
  parse: z.enum(['auto', 'json', 'text', 'none']).default('auto'),
});
export type HttpInput = z.infer<typeof HttpInput>;

/** What an `http` step hands on. */
export const HttpOutput = z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.json() });
export type HttpOutput = z.infer<typeof HttpOutput>;
