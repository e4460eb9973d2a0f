/**
 * What the system says when this user may not do it.
 *
 * @module
 */

/** An error by its name: `EACCES`, ... */
interface Named {
  readonly name: string;
}

/** Tells whether an error is one of permission. */
export function isForbidden({ name }: Named): boolean {
  return name === "EACCES" || name === "EPERM";
}

/** Tells whether nothing may be written, by this user or by anyone. */
export function isWritingForbidden(error: Named): boolean {
  return isForbidden(error) || error.name === "EROFS";
}
