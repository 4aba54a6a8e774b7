// Judges signed webhooks, each a JSON line { key, headers, body }, by the npm package standardwebhooks, and ed25519 signatures (which it does
// not know) by Node's own cryptography. Answers each with a JSON line: "accepted", or why it is refused.
import { createPublicKey, verify } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Webhook } from 'standardwebhooks'

/** The header of a raw ed25519 public key as SubjectPublicKeyInfo (RFC 8410). */
const publicKeyInfo = Buffer.from('302a300506032b6570032100', 'hex')

function verifyPublic(key, headers, body) {
  const info = Buffer.concat([publicKeyInfo, Buffer.from(key.slice('whpk_'.length), 'base64')])
  const publicKey = createPublicKey({ key: info, format: 'der', type: 'spki' })
  const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
  const signatures = headers['webhook-signature'].split(' ').filter((one) => one.startsWith('v1a,'))
  if (!signatures.some((one) => verify(null, content, publicKey, Buffer.from(one.slice('v1a,'.length), 'base64')))) throw new Error('No matching signature found')
}

for await (const line of createInterface({ input: process.stdin })) {
  const { key, headers, body } = JSON.parse(line)
  try {
    if (key.startsWith('whpk_')) verifyPublic(key, headers, body)
    else new Webhook(key).verify(body, headers)
    console.log('"accepted"')
  } catch (error) {
    console.log(JSON.stringify(error.message))
  }
}
