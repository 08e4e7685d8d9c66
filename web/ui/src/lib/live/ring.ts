import type { StripPicture } from '../api/strip';

/**
 * The newest stretch of one side as a picture: x along the strip, y across it. It is a ring of columns on
 * a canvas, so a new stretch is painted once and then only copied.
 */
export class StripRing {
  readonly canvas = document.createElement('canvas');
  readonly #ctx = this.canvas.getContext('2d')!;
  /** Running number of the newest column, -1 before the first; it never goes back. */
  newest = -1;
  /** Running number of the last row taken, -1 before the first. */
  lastRow = -1;
  headRow = -1;
  mmPerRow = 0;
  mmPerColumn = 0;
  leftEdge = 0;

  #sums = new Float32Array(0);
  #summed = 0;
  #bin = -1;
  #column: ImageData | null = null;

  /** columns are shown; half as many again are kept, since what is shown lags behind what has come. */
  constructor(
    readonly columns: number,
    readonly mmPerPixel: number,
  ) {
    this.canvas.width = Math.ceil(columns * 1.5);
  }

  /** Column, as a running number with fraction, of a position in mm from the running coil's head end. */
  columnOf(alongMM: number): number {
    return ((this.headRow + alongMM / this.mmPerRow) * this.mmPerRow) / this.mmPerPixel;
  }

  take(picture: StripPicture): void {
    this.headRow = picture.headRow;
    if (picture.rows === 0) return;
    this.leftEdge = picture.leftEdge;
    if (picture.columns !== this.#sums.length || picture.mmPerRow !== this.mmPerRow) this.#resize(picture);
    for (let r = 0; r < picture.rows; r++) {
      const row = picture.firstRow + r;
      const bin = Math.floor((row * this.mmPerRow) / this.mmPerPixel);
      if (bin !== this.#bin) this.#turn(bin);
      const at = r * picture.columns;
      for (let c = 0; c < picture.columns; c++) this.#sums[c]! += picture.pixels[at + c]!;
      this.#summed++;
    }
    this.lastRow = picture.firstRow + picture.rows - 1;
  }

  #resize(picture: StripPicture): void {
    this.mmPerRow = picture.mmPerRow;
    this.mmPerColumn = picture.mmPerColumn;
    this.#sums = new Float32Array(picture.columns);
    this.canvas.height = picture.columns;
    this.#column = this.#ctx.createImageData(1, picture.columns);
    this.#bin = -1;
    this.newest = -1;
  }

  /** Paints the column that is full and begins the next; columns between them had no rows. */
  #turn(bin: number): void {
    if (this.#bin >= 0 && this.#summed > 0) {
      const pixels = this.#column!.data;
      for (let c = 0; c < this.#sums.length; c++) {
        const grey = this.#sums[c]! / this.#summed;
        pixels.fill(grey, 4 * c, 4 * c + 3);
        pixels[4 * c + 3] = 255;
      }
      this.#ctx.putImageData(this.#column!, this.#bin % this.canvas.width, 0);
      this.newest = this.#bin;
    }
    const first = Math.max(this.#bin + 1, bin - this.canvas.width);
    for (let b = first; this.#bin >= 0 && b < bin; b++) {
      this.#ctx.clearRect(b % this.canvas.width, 0, 1, this.canvas.height);
    }
    this.#bin = bin;
    this.#sums.fill(0);
    this.#summed = 0;
  }

  /**
   * Copies the columns up to right (a running number, fractions allowed) into a rectangle, the newest at
   * its right edge. rows says which part across the strip; mirrored puts the operator side at the bottom.
   */
  draw(
    ctx: CanvasRenderingContext2D,
    right: number,
    rect: { x: number; y: number; width: number; height: number },
    rows: { from: number; to: number },
    mirrored: boolean,
  ): void {
    if (this.newest < 0) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(rect.x, rect.y, rect.width, rect.height);
    ctx.clip();
    const pixel = rect.width / this.columns;
    // Only what the ring still holds: beyond its newest column lies what has not come yet.
    const behind = (column: number) => rect.x + rect.width - (right + 1 - column) * pixel;
    ctx.beginPath();
    ctx.rect(behind(this.newest + 1 - this.canvas.width), rect.y, this.canvas.width * pixel, rect.height);
    ctx.clip();
    ctx.translate(rect.x, mirrored ? rect.y + rect.height : rect.y);
    if (mirrored) ctx.scale(1, -1);
    const end = Math.floor(right) + 1;
    const cut = end % this.canvas.width;
    // The ring holds two runs: [cut, its width) is older than [0, cut).
    const x = rect.width + (end - right - cut) * pixel;
    const tall = rows.to - rows.from;
    if (cut > 0) ctx.drawImage(this.canvas, 0, rows.from, cut, tall, x, 0, cut * pixel, rect.height);
    const rest = this.canvas.width - cut;
    ctx.drawImage(this.canvas, cut, rows.from, rest, tall, x - rest * pixel, 0, rest * pixel, rect.height);
    ctx.restore();
  }
}
