import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Provenance } from '../experts/artifact.ts'

export function saveManifest(folder: string, manifest: Provenance): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
