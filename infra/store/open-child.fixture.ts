/** Opens the store in the folder given, says 'open' or the error as JSON, and holds it until standard input ends. */
import { AppError } from '../errors.ts'
import { openEmbeddedStore } from './embedded.ts'

try {
  const store = await openEmbeddedStore({ path: process.argv[2] ?? '' })
  process.stdout.write('"open"\n')
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.once('end', resolve))
  await store.close()
} catch (error) {
  const { code, message, retryable } = error as AppError
  process.stdout.write(`${JSON.stringify({ code, message, retryable })}\n`)
  process.exitCode = error instanceof AppError ? 1 : 2
}
