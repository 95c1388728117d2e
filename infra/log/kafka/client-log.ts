/** The client library's own log lines as ours: less loud, for it calls every lost connection an error, and without what it lets through. */
import { inert } from '../../inert.ts'
import type { Logger } from '../../logger.ts'

interface ClientLine {
  readonly label: string
  readonly namespace: string
  readonly log: Readonly<Record<string, unknown>> & { readonly message: string }
}

const levels: Readonly<Record<string, 'warn' | 'info' | 'debug'>> = {
  ERROR: 'warn',
  WARN: 'info',
  INFO: 'debug',
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
