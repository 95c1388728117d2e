/** A front in a process of its own, over the folder and at the port given: says its address, and stops at the end of standard input. */
import { startHttpFront } from './http-front.ts'

const [path = '', port = '0'] = process.argv.slice(2)
const front = await startHttpFront({ path, port: Number(port) })
process.stdout.write(`${front.url}\n`)
process.stdin.resume()
await new Promise((resolve) => process.stdin.once('end', resolve))
await front.close()
