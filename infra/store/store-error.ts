import { AppError, describeError } from '../errors.ts'

const diskFull = /NOT_ENOUGH_SPACE|No space left on device|errno: 28\b/
/** What passes by itself: of the network, of names, and of a server that has too much to do or has lost its Keeper. */
const outOfReach =
  /TIMEOUT_EXCEEDED|NETWORK_ERROR|SOCKET_TIMEOUT|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|socket hang up|Timeout|KEEPER_EXCEPTION|TABLE_IS_READ_ONLY|TOO_MANY_SIMULTANEOUS_QUERIES/

/** Types of ClickHouse that speak of what a row holds, and of nothing else. */
const aboutContent =
  /^(CANNOT_(PARSE|READ|CONVERT|INSERT)_|INCORRECT_DATA|TYPE_MISMATCH|VALUE_IS_OUT_OF_RANGE|ARGUMENT_OUT_OF_BOUND|DECIMAL_OVERFLOW|TOO_LARGE_|UNEXPECTED_END_OF_FILE|ATTEMPT_TO_READ_AFTER_EOF|UNKNOWN_ELEMENT_OF_ENUM)/

/** Whether rows were refused for what they hold: sending them again is useless, and others would be taken. */
export function refusesContent(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== 'STORE' || error.retryable) return false
  const { cause } = error
  if (cause instanceof RangeError) return true
  const { type } = (cause ?? {}) as { readonly type?: unknown }
  return typeof type === 'string' && aboutContent.test(type)
}

/** What an engine's failure means. The engine's own words are the `cause` alone, because they may quote a post. */
export function storeError(cause: unknown, what: string, where: string): AppError {
  if (cause instanceof AppError) return cause
  const words = describeError(cause)
  const { code, type } = (cause ?? {}) as { code?: unknown; type?: unknown }
  const known = [type, code].filter((part) => part !== undefined).join(' ')
  if (diskFull.test(`${known} ${words}`))
    return new AppError(
      'DISK_FULL',
      `The disk of ${where} is full: free some space there; nothing stored is lost`,
      { cause, retryable: true },
    )
  return new AppError('STORE', `The store at ${where} could not ${what}: ${known || 'failed'}`, {
    cause,
    retryable: outOfReach.test(`${known} ${words}`),
  })
}

/** For statements that a person wrote, who needs the engine's words. */
export function queryError(cause: unknown, where: string): AppError {
  const error = storeError(cause, 'answer a query', where)
  if (error.code !== 'STORE' || error === cause) return error
  return new AppError('STORE', `${error.message}: ${describeError(cause).slice(0, 500)}`, {
    cause,
    retryable: error.retryable,
  })
}
