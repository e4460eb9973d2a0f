/**
 * What a C structure looks like in memory, as the files of this folder write it down.
 *
 * The problem: a foreign function reads and writes memory by position, and a wrong position is
 * silent. The idea: each structure that `ffi/` touches is one constant here, with the names that
 * its header gives to its fields; code adds these to the place of the structure and writes no
 * number of its own. The constants of the same headers stand beside them under their own names, so
 * that both can be searched for in the manual and in the kernel. `tests/system/ffi_layout_test.ts`
 * walks over every export of this folder and compares it with the C compiler. Limits: only the
 * fields that are used; Linux on x86_64 and aarch64 with glibc. Nothing here calls anything.
 *
 * @module
 */

/**
 * The layout of one C structure: its name, its header, its size, and the offset of each field in
 * octets.
 */
export interface StructLayout {
  /** The type in C: `struct timex`. */
  readonly type: string;
  /** The header that declares it: `sys/timex.h`. */
  readonly header: string;
  /** Its size in octets, as the operator of C gives it. */
  readonly sizeof: number;
  /**
   * The version of Linux since which the header has all of the fields, if that is later than 5.10:
   * `6.12`.
   */
  readonly since?: string;
  /** The offset of a field by its name in C. */
  readonly [field: string]: number | string | undefined;
}
