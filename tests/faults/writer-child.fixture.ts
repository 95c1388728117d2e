/**
 * Writes the sample log up to `next`, `step` offsets a batch, and says every mark as a JSON line on standard output; the
 * writer's log lines are on standard error. A child process, because only a process can be killed.
 */
import { createLogger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import { createPartitionWriter } from '../../pipeline/writer.ts'
import { batchOf, logTopic } from './sample-posts.fixture.ts'

export interface ChildOptions {
  readonly path: string
  readonly next: number
  readonly step: number
  readonly textLength?: number
  /** A fixed one makes the tokens of an earlier, killed child come again. */
  readonly boot?: string
}

const {
  path,
  next,
  step,
  textLength = 20,
  boot,
}: ChildOptions = JSON.parse(process.argv[2] ?? '{}')
const store = await openEmbeddedStore({ path })
// A merge renames a part too, and the test counts renames.
if (boot !== undefined) await store.command('SYSTEM STOP MERGES analyses')
const writer = createPartitionWriter({
  store: boot === undefined ? store : { ...store, boot },
  partition: { logTopic, partition: 0 },
  logger: createLogger({ level: 'warn' }),
  clock: () => 0,
  // Every thread of the engine may fail once.
  backoff: () => 10,
  maxRepeats: 200,
})
let mark = await writer.mark()
while (mark < next - 1) {
  const from = mark + 1
  mark = await writer.write(batchOf(from, Math.min(next, from + step), { textLength }))
  process.stdout.write(`${JSON.stringify({ mark })}\n`)
}
await store.close()
