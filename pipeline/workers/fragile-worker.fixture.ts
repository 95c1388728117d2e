/** The real worker, but a text `crash-once:FILE` kills it unless the file is there, and makes the file. */
import { existsSync, writeFileSync } from 'node:fs'
import type { WorkerOptions } from './protocol.ts'
import { runWorker } from './run-worker.ts'

const command = 'crash-once:'

await runWorker(JSON.parse(process.argv[2] ?? '') as WorkerOptions, {
  onJob({ texts }) {
    for (const { text } of texts) {
      if (!text.startsWith(command)) continue
      const file = text.slice(command.length)
      if (existsSync(file)) continue
      writeFileSync(file, '')
      process.kill(process.pid, 'SIGKILL')
    }
  },
})
