/** A stretch of one side's live picture: grey rows, oldest first, the operator side at the left. */
export interface StripPicture {
  firstRow: number; // running number; it never goes back
  columns: number;
  rows: number;
  mmPerRow: number;
  mmPerColumn: number;
  leftEdge: number; // column of the operator-side strip edge at the newest row
  headRow: number; // row of the running coil's head end, -1 without one
  pixels: Uint8Array;
}

export function stripPicture(headers: Headers, pixels: Uint8Array): StripPicture {
  const value = (name: string) => {
    const text = headers.get(name);
    const n = Number(text);
    if (text === null || !Number.isFinite(n)) throw new RangeError(`the live picture has no ${name}`);
    return n;
  };
  const columns = value('X-Columns');
  return {
    firstRow: value('X-First-Row'),
    columns,
    rows: columns > 0 ? Math.floor(pixels.length / columns) : 0,
    mmPerRow: value('X-MM-Per-Row'),
    mmPerColumn: value('X-MM-Per-Column'),
    leftEdge: value('X-Left-Edge'),
    headRow: value('X-Head-Row'),
    pixels,
  };
}
