/** Starting pipelines as processes, and waiting for what they say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { PipelineChildOptions } from './pipeline-child.fixture.ts'

/** A line of its log, or one that it says. */
export interface Line {
  readonly started?: true
  readonly asleep?: { readonly partition: number; readonly mark: number }
  readonly insert?: {
    readonly partition: number
    readonly mark: number
    readonly outcome: string
  }
  readonly msg?: string
  readonly group?: string
  readonly partitions?: readonly string[]
}

export interface PipelineProcess {
  readonly lines: readonly Line[]
  /** Has it stop itself (SIGSTOP) before its next insert. */
  sleepAtInsert(): void
  signal(signal: NodeJS.Signals): void
  /** The partitions of `posts` that it was given last. */
  partitions(): number
  /** Resolves with the first line, also an earlier one, that the test accepts. Rejects when the process ends before. */
  until(accepts: (line: Line) => boolean): Promise<Line>
  /** Resolves when it is gone. */
  kill(): Promise<void>
}

export function startPipelineProcess(options: PipelineChildOptions): PipelineProcess {
  const file = fileURLToPath(new URL('./pipeline-child.fixture.js', import.meta.url))
  const child = spawn(process.execPath, ['--enable-source-maps', file, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const gone = once(child, 'exit')
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const look of waiting) look()
  }
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (text) => {
      lines.push(text.startsWith('{') ? JSON.parse(text) : { msg: text })
      wake()
    })

  function until(accepts: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(accepts)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      void gone.then(() =>
        reject(new Error(`the process ended: ${JSON.stringify(lines.slice(-5))}`)),
      )
    })
  }

  return {
    lines,
    until,
    sleepAtInsert: () => child.stdin.write('sleep\n'),
    signal: (signal) => child.kill(signal),
    partitions: () =>
      lines.findLast(({ msg, group }) => msg === 'partitions assigned' && isOfPipeline(group))
        ?.partitions?.length ?? 0,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

function isOfPipeline(group: string | undefined): boolean {
  return group?.endsWith('tickertone.pipeline') ?? false
}
