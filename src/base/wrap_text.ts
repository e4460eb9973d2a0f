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
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayLength(longer) > width && line.trim() !== "") {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Counts the columns that text takes on a terminal, for the characters that we print. */
export function displayLength(text: string): number {
  return [...text].length;
}
