/**
 * Closing descriptors.
 *
 * @module
 */
import { libc } from "./libc.ts";

/**
 * Closes a descriptor; a second close would hit another that has the same number by then, so the
 * caller forgets the number.
 */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}
