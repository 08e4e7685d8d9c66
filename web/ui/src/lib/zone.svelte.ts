/** The plant's time zone, which every time is shown in. */

let current = $state<string | undefined>(undefined);

export const zone = {
  /** undefined: the browser's own, until the appliance has told. */
  get current(): string | undefined {
    return current;
  },
  set(name: string): void {
    current = name || undefined;
  },
};
