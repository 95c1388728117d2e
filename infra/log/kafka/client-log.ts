/** The client library's own log lines as ours: less loud, for it calls every lost connection an error, and without what it lets through. */
import { inert } from '../../inert.ts'
import type { Logger } from '../../logger.ts'

interface ClientLine {
  readonly label: string
  readonly namespace: string
  readonly log: Readonly<Record<string, unknown>> & { readonly message: string }
}

/** What keeps us from our work is told by whoever asked, in our words: these lines are for whoever looks closer. */
const levels: Readonly<Record<string, 'info' | 'debug'>> = {
  ERROR: 'info',
  WARN: 'debug',
}
/** Of the fields that it adds; others hold payloads, stacks and whole assignments. */
const shown = ['broker', 'groupId', 'topic', 'partition', 'retryCount', 'error'] as const

export function clientLog(logger: Logger): (line: ClientLine) => void {
  const log = logger.child({ client: 'kafkajs' })
  return ({ label, namespace, log: line }) => {
    const fields: Record<string, string | number> = {}
    for (const name of shown) {
      const value = line[name]
      if (typeof value === 'number') fields[name] = value
      if (typeof value === 'string') fields[name] = inert(value)
    }
    log[levels[label] ?? 'trace'](
      { part: namespace, said: inert(line.message), ...fields },
      'the Kafka client reports',
    )
  }
}
