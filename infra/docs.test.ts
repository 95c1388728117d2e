import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { leaves } from './config.ts'
import { configurationDocs, configurationFile } from './config-docs.ts'
import { errorCodes } from './errors.ts'
import { packageRoot } from './package-root.ts'

test('docs/configuration.md is what `npm run docs` writes', () => {
  assert.equal(readFileSync(configurationFile, 'utf8'), configurationDocs())
})

test('every option has an environment name, a default and a description; lists of objects stand in the file only', () => {
  const lacking = leaves().filter(
    ({ path, schema }) =>
      (schema.env === undefined && path.join('.') !== 'sources') ||
      schema.default === undefined ||
      schema.description === undefined,
  )
  assert.deepEqual(lacking, [])
})

test('docs/errors.md explains every error code and no other', () => {
  const text = readFileSync(join(packageRoot, 'docs', 'errors.md'), 'utf8')
  const explained = [...text.matchAll(/^## `([A-Z_]+)`$/gm)].map((match) => match[1])
  assert.deepEqual(explained.sort(), [...errorCodes].sort())
})
