import { inert } from './inert.ts'

/** Every code the product can fail with. docs/errors.md explains each one; a test fails when one is missing there. */
export const errorCodes = [
  'CONFIG',
  'USAGE',
  'DATA_FOLDER',
  'DATA_FOLDER_HELD',
  'DISK_FULL',
  'PORT_IN_USE',
  'LOG',
  'LOG_FULL',
  'LOG_UNREACHABLE',
  'LOG_REPLACED',
  'STORE',
  'STORE_LAGGING',
  'MODEL',
  'PROVIDER',
  'WORKER',
  'OVERLOADED',
  'DEADLINE',
  'EXPERT',
  'NO_EXPERT',
  'WEIGHTS',
  'FEEDBACK',
  'PROMOTION',
  'DEAD_LETTER',
  'ERASURE',
  'SMTP',
  'SOURCE',
  'NOT_RUNNING',
  'ROLE_AWAY',
  'UNSUPPORTED',
] as const
export type ErrorCode = (typeof errorCodes)[number]

/** The one error class of the product: a stable code, whether a retry can help, and the cause. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** The message of anything that was thrown, on one line, without control characters. */
export function describeError(error: unknown): string {
  return inert(error instanceof Error ? error.message : String(error))
}
