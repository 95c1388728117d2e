/** What keeps other sites' pages away from an API without a login: Host and Origin checks, and headers for the page. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuse } from './http-errors.ts'

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]'])
const readOnlyMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const

export function isLoopback(host: string): boolean {
  return loopbackNames.has(host) || loopbackNames.has(`[${host}]`)
}

/** Registers the checks for every route of the server. */
export function guardRequests(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...headers, 'x-request-id': request.id })
    if (!namesLoopback(request.headers.host))
      throw refuse(403, 'FORBIDDEN_HOST', 'Open this server as localhost or 127.0.0.1')
    if (!readOnlyMethods.has(request.method) && isCrossOrigin(request))
      throw refuse(403, 'FORBIDDEN_ORIGIN', 'Pages of other origins may not change anything here')
  })
}

/** DNS rebinding: a page of evil.example whose name now resolves to 127.0.0.1 still sends its own name as Host. */
function namesLoopback(host: string | undefined): boolean {
  return loopbackNames.has(parseOrigin(`http://${host ?? ''}`)?.hostname ?? '')
}

/** Programs send no Origin; browsers send it with every request that is not a plain read. */
function isCrossOrigin(request: FastifyRequest): boolean {
  const { origin, host } = request.headers
  if (origin !== undefined) return parseOrigin(origin)?.host !== parseOrigin(`http://${host}`)?.host
  return request.headers['sec-fetch-site'] === 'cross-site'
}

function parseOrigin(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
