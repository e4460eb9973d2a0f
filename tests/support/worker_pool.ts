/**
 * Threads that work off tasks, each one at a time.
 *
 * A worker answers each message with one message (`answerTasks`).
 *
 * @module
 */

/** Hands tasks to threads as they become free. */
export class WorkerPool<Task, Answer> {
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  /** Starts so many threads that run the module at `url`. */
  constructor(url: URL, size: number) {
    for (let i = 0; i < size; i++) {
      const worker = new Worker(url, { type: "module" });
      this.#workers.push(worker);
      this.#idle.push(worker);
    }
  }

  /** Has a task done by the first thread that is free. */
  async run(task: Task): Promise<Answer> {
    const worker = this.#idle.pop() ??
      await new Promise<Worker>((resolve) => this.#waiting.push(resolve));
    try {
      return await new Promise<Answer>((resolve, reject) => {
        worker.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.postMessage(task);
      });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(worker);
      else next(worker);
    }
  }

  /** Ends all threads. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

/** Answers every task that this thread is sent; called by the module of a worker. */
export function answerTasks<Task, Answer>(answer: (task: Task) => Answer): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent<Task>) => void) | null;
    postMessage?: (answer: Answer) => void;
  };
  scope.onmessage = (event) => scope.postMessage?.(answer(event.data));
}
