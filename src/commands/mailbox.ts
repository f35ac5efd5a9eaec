/** A queue that one reader waits at. Its bound is its writer's. */
export interface Mailbox<T> {
  push(item: T): void;
  end(): void;
  /** The reader meets this after the items that are there. */
  fail(error: unknown): void;
  /** Null: the end. */
  next(): Promise<T | null>;
}

export function createMailbox<T>(): Mailbox<T> {
  const items: T[] = [];
  let ending: { readonly error: unknown } | 'end' | null = null;
  let wake = (): void => {};
  return {
    push: (item) => {
      items.push(item);
      wake();
    },
    end: () => {
      ending ??= 'end';
      wake();
    },
    fail: (error) => {
      ending ??= { error };
      wake();
    },
    next: async () => {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) return item;
        if (ending === 'end') return null;
        if (ending !== null) throw ending.error;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
