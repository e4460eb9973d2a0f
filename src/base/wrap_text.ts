/**
 * Text in lines of a certain width.
 *
 * @module
 */

/** Breaks text into lines of at most `width` columns, each but the first after `indent`. */
export function wrapText(
  text: string,
  { width, indent = "" }: { readonly width: number; readonly indent?: string },
): readonly string[] {
  const lines: string[] = [];
  // counted along, because a sentence from afar may be very long
  let line = "", length = 0, isBlank = true;
  for (const word of text.split(" ")) {
    const space = line === "" ? "" : " ", added = displayLength(word);
    const isBroken: boolean = !isBlank && length + space.length + added > width;
    if (isBroken) lines.push(line);
    line = isBroken ? indent + word : line + space + word;
    length = isBroken ? displayLength(indent) + added : length + space.length + added;
    isBlank = word.trim() === "" && (isBroken ? indent.trim() === "" : isBlank);
  }
  return [...lines, line];
}

/** Counts the columns that text takes on a terminal, for the characters that we print. */
export function displayLength(text: string): number {
  return [...text].length;
}
