import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../infra/package-root.ts'

const manifest: { version: string } = JSON.parse(
  readFileSync(join(packageRoot, 'package.json'), 'utf8'),
)

/** Of the product. */
export const { version } = manifest
