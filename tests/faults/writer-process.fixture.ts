/** Starting a writing child, and reading what it left. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { checkContinuity } from '../../infra/store/continuity.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import { expectedTotals, logTopic } from './sample-posts.fixture.ts'
import type { ChildOptions } from './writer-child.fixture.ts'

export interface Line {
  readonly mark?: number
  readonly step?: { readonly kind: string; readonly attempt?: number }
  readonly err?: { readonly code?: string }
}

export interface WriterProcess {
  readonly child: ChildProcess
  /** Of standard output and the log. */
  readonly lines: readonly Line[]
  /** Resolves to the exit code, `null` after a signal, when all lines are read. */
  readonly ended: Promise<number | null>
}

/** `wrapper` is a command that runs the child, such as strace with its arguments. */
export function startWriter(
  options: ChildOptions,
  wrapper: readonly string[] = [],
  onLine: (line: Line) => void = () => {},
): WriterProcess {
  const file = fileURLToPath(new URL('./writer-child.fixture.js', import.meta.url))
  const [command = '', ...args] = [...wrapper, process.execPath, file, JSON.stringify(options)]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: Line[] = []
  const closed = [child.stdout, child.stderr].map((input) => {
    const reader = createInterface({ input })
    reader.on('line', (text) => {
      // The engine writes words of its own to standard error.
      if (!text.startsWith('{')) return
      const line = JSON.parse(text) as Line
      lines.push(line)
      onLine(line)
    })
    return once(reader, 'close')
  })
  const ended = once(child, 'exit').then(async ([code]) => {
    await Promise.all(closed)
    return code as number | null
  })
  return { child, lines, ended }
}

/** Every offset up to `next` has its rows exactly once: in the table, and in the answer of every projection. */
export async function assertStored(path: string, next: number): Promise<void> {
  const store = await openEmbeddedStore({ path })
  try {
    const { rows, mentions } = expectedTotals(next)
    const ask = async (sql: string) => (await store.query<Record<string, number>>(sql))[0]
    assert.deepEqual(await checkContinuity(store, logTopic), [])
    assert.equal(await store.mark({ logTopic, partition: 0 }), next - 1)
    const gaps =
      "sumIf(offset - gap_from + 1, outcome = 'gap') AS gaps, countIf(outcome = 'gap') AS gapRows"
    const table = await ask(
      `SELECT count() AS rows, uniqExact(offset, ordinal) AS distinct, ${gaps} FROM analyses`,
    )
    const stored = (table?.rows ?? 0) - (table?.gapRows ?? 0) + (table?.gaps ?? 0)
    assert.deepEqual([stored, table?.distinct], [rows, table?.rows])
    const inMark = await ask(
      `SELECT count() AS rows FROM analyses WHERE log_topic = '${logTopic}' AND partition = 0`,
    )
    assert.deepEqual(inMark, { rows: table?.rows })
    assert.deepEqual(await ask('SELECT sum(mentions) AS mentions FROM sentiment_per_minute_v'), {
      mentions,
    })
    const byInstrument = await ask(
      "SELECT count() AS mentions FROM (SELECT post_id, published_at FROM mentions_v WHERE instrument IN ('US:0', 'US:1', 'US:2') ORDER BY instrument, published_at)",
    )
    assert.deepEqual(byInstrument, { mentions })
  } finally {
    await store.close()
  }
}
