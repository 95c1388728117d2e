/**
 * The role pipeline with the lexicon alone, on a broker and over HTTP, as a process that can be killed or put to sleep. Its log is on
 * standard error; on standard output it says, a JSON line each, what became of every insert. At the word `sleep` on standard input it
 * stops itself just before its next insert.
 */
import { createInterface } from 'node:readline'
import { loadConfig } from '../../infra/config.ts'
import { openKafkaLog } from '../../infra/log/kafka/open.ts'
import { createLogger } from '../../infra/logger.ts'
import { openServerStore } from '../../infra/store/server.ts'
import type { Store } from '../../infra/store/store.ts'
import { createLinker } from '../../pipeline/entities/link.ts'
import { startPipelineRole } from '../../pipeline/main.ts'

export interface PipelineChildOptions {
  /** Of the configuration, by the names of the environment. */
  readonly env: Readonly<Record<string, string>>
  readonly logTopic: string
}

const { env, logTopic }: PipelineChildOptions = JSON.parse(process.argv[2] ?? '{}')
const config = loadConfig({ env })

function say(words: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(words)}\n`)
}

let isTired = false
const words = createInterface({ input: process.stdin })
words.on('line', (word) => {
  isTired = word === 'sleep'
})
// Whoever started it is gone.
words.on('close', () => process.exit())

function watched(store: Store): Store {
  return {
    ...store,
    async insertBlock(block) {
      const { partition, mark, last } = block
      if (isTired) {
        isTired = false
        say({ asleep: { partition, mark } })
        process.kill(process.pid, 'SIGSTOP')
      }
      const outcome = await store.insertBlock(block)
      say({ insert: { partition, mark, last, outcome: outcome.kind } })
      return outcome
    },
  }
}

const logger = createLogger({ level: 'info' })
const store = await openServerStore({ url: config.clickhouse.url })
const log = await openKafkaLog({ options: config.kafka, logger })
await startPipelineRole({
  linker: createLinker(),
  log,
  store: watched(store),
  logTopic,
  config: config.pipeline,
  clock: Date.now,
  logger,
  onFatal(error) {
    logger.fatal({ err: error }, 'ended')
    process.exit(1)
  },
})
say({ started: true })
