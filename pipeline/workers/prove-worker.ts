/** Starts a worker only to hear what it says of its encoder and provider. */
import { AppError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import type { FromWorker, Ready } from './protocol.ts'
import type { StartWorker } from './worker-process.ts'

/** Rejects with MODEL or PROVIDER when the worker refuses, WORKER when it ends or says nothing in time. The process has ended when this settles. */
export async function proveWorker(start: StartWorker, withinMs: number): Promise<Ready> {
  let answer: FromWorker | undefined
  const lastWords = await new Promise<string>((resolve) => {
    const worker = start({
      message(message) {
        answer ??= message
        worker.kill()
      },
      ended(words) {
        clearTimeout(timer)
        resolve(words)
      },
    })
    const timer = setTimeout(() => worker.kill(), withinMs)
  })
  if (answer?.type === 'ready') return answer
  if (answer?.type === 'refused') throw new AppError(answer.code, inert(answer.message))
  throw new AppError('WORKER', `A worker did not start: ${lastWords}`)
}
