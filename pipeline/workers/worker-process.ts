/** Starts a worker process and passes on what it says; knows nothing of jobs. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { describeError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import type { Logger } from '../../infra/logger.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts'

export interface WorkerEvents {
  message(message: FromWorker): void
  /** Once, after the last message: how it ended and what it printed last, on one line without control characters. */
  ended(lastWords: string): void
}

export interface WorkerProcess {
  send(message: ToWorker): void
  /** At once: a worker holds nothing that is worth a farewell. */
  kill(): void
}

export type StartWorker = (events: WorkerEvents) => WorkerProcess

const workerEntry = join(import.meta.dirname, 'worker.js')
const keptLines = 5
const lineLength = 400

/**
 * A worker ends when the channel closes, so also when this process is killed.
 * What it prints goes to the log, a field a line.
 */
export function forkWorker(deps: {
  readonly options: WorkerOptions
  /** All that the worker sees of ours: a GPU's libraries are found by variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly logger: Logger
  /** A module that speaks `protocol.ts`; its first argument is the options as JSON. */
  readonly entry?: string
}): StartWorker {
  const { entry = workerEntry, options, environment, logger } = deps
  return (events) => {
    const child = fork(entry, [JSON.stringify(options)], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environment,
      execArgv: [],
    })
    const printed = new LastLines((line) =>
      logger.warn({ worker: child.pid, line }, 'worker printed'),
    )
    const ended = (how: string) => events.ended([how, ...printed.end()].join(': '))
    child.stdout?.setEncoding('utf8').on('data', (text) => printed.add(text))
    child.stderr?.setEncoding('utf8').on('data', (text) => printed.add(text))
    child.on('message', (message: FromWorker) => events.message(message))
    // Without a channel it can get no work and give no answer, whatever it still does.
    child.on('disconnect', () => child.kill('SIGKILL'))
    // Other errors (a kill or a message that came too late) are followed by 'close'.
    child.on('error', (error) => {
      if (child.pid === undefined) ended(`did not start: ${describeError(error)}`)
    })
    // Comes after 'exit', with channel and pipes read to their ends: no answer is behind it.
    child.on('close', (code, signal) => {
      if (child.pid !== undefined) ended(`ended with ${signal ?? `code ${code}`}`)
    })
    return {
      send: (message) => void child.send(message, () => {}),
      kill: () => void child.kill('SIGKILL'),
    }
  }
}

/** Cuts what a process prints into lines of bounded length, and keeps the last ones. */
class LastLines {
  readonly #onLine: (line: string) => void
  readonly #kept: string[] = []
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
    this.#rest = rest.length > lineLength ? '' : rest
    if (rest.length > lineLength) this.#line(rest)
  }

  end(): readonly string[] {
    this.#line(this.#rest)
    this.#rest = ''
    return this.#kept
  }

  #line(printed: string): void {
    const line = inert(printed.slice(0, lineLength))
    if (line === '') return
    this.#onLine(line)
    this.#kept.push(line)
    if (this.#kept.length > keptLines) this.#kept.shift()
  }
}
