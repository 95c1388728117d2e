/** The page and what it loads: its own files, the compiled modules, the chart library. Nothing comes from elsewhere. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { packageRoot } from '../../infra/package-root.ts'

const sources = join(packageRoot, 'dashboards', 'web')
const modules = join(packageRoot, 'dist', 'dashboards', 'web')
const charts = dirname(fileURLToPath(import.meta.resolve('uplot')))

/** Browsers ask again with each load and get 304: a new version of the product never meets old files. */
const options = { index: false, dotfiles: 'deny', cacheControl: true, maxAge: 0 } as const

export async function pageRoutes(server: FastifyInstance): Promise<void> {
  await server.register(fastifyStatic, {
    ...options,
    root: sources,
    prefix: '/assets/',
    allowedPath: (path) => /^\/?[\w-]+\.(css|html|svg)$/.test(path),
  })
  await server.register(fastifyStatic, {
    ...options,
    root: modules,
    prefix: '/web/',
    decorateReply: false,
    allowedPath: (path) => /^\/[\w-]+\.js(\.map)?$/.test(path),
  })
  await server.register(fastifyStatic, {
    ...options,
    root: charts,
    prefix: '/vendor/',
    decorateReply: false,
    allowedPath: (path) => ['/uPlot.esm.js', '/uPlot.min.css'].includes(path),
  })
  server.get('/', { schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('index.html', sources),
  )
}
