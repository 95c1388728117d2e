/** The log with its metrics, whatever the adapter: how far consumers are behind, and what was not appended. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { AppError } from '../errors.ts'
import type { Consumer, Log } from './log.ts'

export function meteredLog(log: Log, registry: Registry): Log {
  const consumers = new Map<Consumer, string>()
  const failures = new Counter({
    name: 'tickertone_log_append_failures_total',
    help: 'Appends that were refused or failed, by topic and error code.',
    labelNames: ['topic', 'code'],
    registers: [registry],
  })
  new Gauge({
    name: 'tickertone_log_lag_records',
    help: 'Records between a consumer and the end of a partition that it has; absent while the end is not known.',
    labelNames: ['group', 'topic', 'partition'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [consumer, group] of consumers)
        for (const { topic, partition, next, end } of consumer.progress())
          if (end !== undefined) this.set({ group, topic, partition }, Math.max(0, end - next))
    },
  })
  new Gauge({
    name: 'tickertone_log_lag_unknown',
    help: 'Partitions that a consumer has and whose end is not known: their lag is not 0 but unknown.',
    labelNames: ['group'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [consumer, group] of consumers) {
        const unknown = consumer.progress().filter(({ end }) => end === undefined)
        this.inc({ group }, unknown.length)
      }
    },
  })

  return {
    ensureTopics: (specs) => log.ensureTopics(specs),
    partitions: (topic) => log.partitions(topic),
    async append(topic, records) {
      try {
        return await log.append(topic, records)
      } catch (error) {
        failures.inc({ topic, code: error instanceof AppError ? error.code : 'UNKNOWN' })
        throw error
      }
    },
    async consume(options, onBatch) {
      const consumer = await log.consume(options, onBatch)
      const metered: Consumer = {
        pause: (topic, partition) => consumer.pause(topic, partition),
        resume: (topic, partition) => consumer.resume(topic, partition),
        commit: (topic, partition, next) => consumer.commit(topic, partition, next),
        progress: () => consumer.progress(),
        async stop() {
          await consumer.stop()
          consumers.delete(metered)
        },
      }
      consumers.set(metered, options.group)
      return metered
    },
    follow: (topic, from, onBatch) => log.follow(topic, from, onBatch),
    beginningOffsets: (topic) => log.beginningOffsets(topic),
    endOffsets: (topic) => log.endOffsets(topic),
    offsetsAt: (topic, time) => log.offsetsAt(topic, time),
    committed: (group, topic) => log.committed(group, topic),
    close: () => log.close(),
  }
}
