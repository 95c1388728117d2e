/** JSON log lines on standard error: standard output belongs to what a command prints. Untrusted text goes into fields, never into the message: pino escapes fields. */
import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

export function createLogger(options: { readonly level: string }): Logger {
  return pino(
    {
      level: options.level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['req.headers.authorization', 'req.headers.cookie'],
    },
    pino.destination({ dest: 2, sync: true }),
  )
}

export const silentLogger: Logger = pino({ level: 'silent' })
