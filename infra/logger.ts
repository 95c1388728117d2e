/** JSON log lines. Untrusted text goes into fields, never into the message: pino escapes fields. */
import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

export function createLogger(options: { level: string; role?: string }): Logger {
  return pino({
    level: options.level,
    base: options.role === undefined ? {} : { role: options.role },
    timestamp: pino.stdTimeFunctions.isoTime,
  })
}

export const silentLogger: Logger = pino({ level: 'silent' })
