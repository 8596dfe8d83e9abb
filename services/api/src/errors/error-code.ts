/** The code of an error of Node, the driver or the database (`EEXIST`, `57014`); empty without one. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
