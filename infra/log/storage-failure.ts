/** Failures of the embedded log's engine, in words that name the folder and the fix. */
import { AppError, describeError } from '../errors.ts'

const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const noAccess = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'])

/** `code` is a system error's name, `undefined` where the engine gave none. */
export function storageFailure(folder: string, code: string | undefined, cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const reason = describeError(cause)
  if (code !== undefined && noRoom.has(code))
    return new AppError(
      'DISK_FULL',
      `No room left for the log in ${folder} (${reason}): free some space`,
      { retryable: true, cause },
    )
  if (code !== undefined && noAccess.has(code))
    return new AppError(
      'DATA_FOLDER',
      `The log cannot use the folder ${folder} (${reason}): make it a writable folder, or name another one`,
      { cause },
    )
  return new AppError('LOG', `The log in ${folder} failed: ${reason}`, { retryable: true, cause })
}
