/** Pipelines as processes, and waiting for what they say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { PipelineChildOptions } from './pipeline-child.fixture.ts'

interface Insert {
  readonly partition: number
  readonly mark: number
  readonly last: number
  readonly outcome: string
}

/** A line of its log, or one that it says. */
export interface Line {
  readonly asleep?: Pick<Insert, 'partition' | 'mark'>
  readonly insert?: Insert
  readonly msg?: string
  readonly group?: string
  readonly partitions?: readonly string[]
}

export interface PipelineProcess {
  readonly lines: readonly Line[]
  /** Has it stop itself (SIGSTOP) before its next insert. */
  sleepAtInsert(): void
  wake(): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Processes that share partitions, and what they have said together. */
export class Crew {
  readonly #running = new Set<PipelineProcess>()
  readonly #lines: Line[] = []
  readonly #waiting = new Set<() => void>()

  start(options: PipelineChildOptions): PipelineProcess {
    const started = startPipelineProcess(options, (line) => {
      this.#lines.push(line)
      for (const look of this.#waiting) look()
    })
    this.#running.add(started)
    return started
  }

  /** Resolves as soon as the condition holds; it is asked again at every line that any of them says. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves when these have all partitions of `posts`, as they were told last, and each has some. */
  untilShared(among: readonly PipelineProcess[], partitions: number): Promise<void> {
    return this.until(() => {
      const shares = among.map(shareOf)
      return !shares.includes(0) && shares.reduce((sum, share) => sum + share, 0) === partitions
    })
  }

  /** What is known to be stored of a partition: its mark. */
  mark(partition: number): number {
    const stored = this.#lines.flatMap(({ insert }) =>
      insert?.partition === partition && insert.outcome === 'acknowledged' ? [insert.last] : [],
    )
    return Math.max(-1, ...stored)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((each) => each.kill()))
  }
}

function shareOf({ lines }: PipelineProcess): number {
  const last = lines.findLast(
    ({ msg, group }) =>
      msg === 'partitions assigned' && (group?.endsWith('tickertone.pipeline') ?? false),
  )
  return last?.partitions?.length ?? 0
}

function startPipelineProcess(
  options: PipelineChildOptions,
  onLine: (line: Line) => void,
): PipelineProcess {
  const file = fileURLToPath(new URL('./pipeline-child.fixture.js', import.meta.url))
  const args = ['--enable-source-maps', file, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const gone = once(child, 'exit')
  const lines: Line[] = []
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (text) => {
      const line: Line = text.startsWith('{') ? JSON.parse(text) : { msg: text }
      lines.push(line)
      onLine(line)
    })
  return {
    lines,
    sleepAtInsert: () => child.stdin.write('sleep\n'),
    wake: () => child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}
