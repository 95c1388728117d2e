/** Whether a worker has room to work in below the ceiling of its memory. */
import { AppError } from '../../infra/errors.ts'

/** Why not, of a worker that has read only its probe: it would be replaced after its first answer, and so would its successor. */
export function noRoom(bytes: number, ceiling: number): AppError | undefined {
  if (bytes <= ceiling) return undefined
  const [needs, has] = [bytes, ceiling].map((size) => Math.ceil(size / 2 ** 20))
  return new AppError(
    'CONFIG',
    `A worker takes ${needs} MB before it reads anything, and WORKERS_MEMORY_MEGABYTES allows ${has}.`,
  )
}
