/** Answers to the questions of a teaching that were given and not yet handed in, kept in this browser. */

import { readText, write } from './stored';

export type Said = 'normal' | 'defect';

/** The answer under a key, by its code: with a Hangul input method on, the letter would be a syllable. */
export function saidFor(code: string): Said | undefined {
  return code === 'KeyN' ? 'normal' : code === 'KeyD' ? 'defect' : undefined;
}

/** Drafts of one version. A record that is begun anew has others under the same id, made at another time. */
export class Drafts {
  readonly #key: string;
  #answers = $state.raw<ReadonlyMap<number, Said>>(new Map());

  constructor(id: string, created: string) {
    this.#key = `coilsight.teach.${id}.${created}`;
    this.#answers = parse(readText(this.#key));
  }

  get answers(): ReadonlyMap<number, Said> {
    return this.#answers;
  }

  /** null takes the answer back. */
  say(number: number, said: Said | null): void {
    const next = new Map(this.#answers);
    if (said === null) next.delete(number);
    else next.set(number, said);
    this.#keep(next);
  }

  clear(): void {
    this.#keep(new Map());
  }

  #keep(next: ReadonlyMap<number, Said>): void {
    this.#answers = next;
    write(this.#key, [...next].map(([number, said]) => `${number}=${said}`).join(' '));
  }
}

function parse(text: string): Map<number, Said> {
  const out = new Map<number, Said>();
  for (const [, number, said] of text.matchAll(/(\d+)=(normal|defect)/g))
    out.set(Number(number), said as Said);
  return out;
}
