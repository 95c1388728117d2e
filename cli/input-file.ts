/** A file that a command reads. */
import { access, constants, stat } from 'node:fs/promises'
import { AppError, describeError } from '../infra/errors.ts'

/** Its size in bytes. Throws USAGE when there is no such file, or nobody may read it. */
export async function sizeOf(file: string): Promise<number> {
  try {
    await access(file, constants.R_OK)
    const stats = await stat(file)
    if (stats.isFile()) return stats.size
  } catch (cause) {
    throw new AppError('USAGE', `Cannot read ${file}: ${describeError(cause)}`, { cause })
  }
  throw new AppError('USAGE', `${file} is not a file`)
}
