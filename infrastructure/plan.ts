import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Values for variables without a default. */
const variables: Readonly<Record<string, string>> = {
  account: '123456789012',
  bucket: 'pipe-planned-offline',
  campaign: 'november',
  smtp_host: 'mail.example.com',
  security_group_ids: '["sg-0123456789abcdef0"]',
  subnet_ids: '["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]',
}

/** Nothing is asked of AWS: the keys are none. */
const offline = `provider "aws" {
  access_key                  = "none"
  secret_key                  = "none"
  allowed_account_ids         = null
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
`

/**
 * A folder from which `terraform init -plugin-dir` takes the provider `hashicorp/aws`: `PIPE_TERRAFORM_PLUGINS`, else where a mirror usually lies.
 *
 * @returns `undefined` when there is none, or no terraform on the path.
 */
export function providerFolder(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'terraform')))
  if (!onPath) return undefined
  const optional = existsSync('/opt') ? readdirSync('/opt').map((name) => join('/opt', name)) : []
  const usual = [
    join(homedir(), '.terraform.d/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins',
    ...optional,
  ]
  const given = process.env['PIPE_TERRAFORM_PLUGINS']
  return (given ? [given] : usual).find((folder) => existsSync(join(folder, 'registry.terraform.io', 'hashicorp', 'aws')))
}

/** Validates and plans a folder of an example in a copy of it, without a network. */
export async function plan(folder: string, providers: string): Promise<{ readonly problem?: string; readonly summary?: string }> {
  const copy = mkdtempSync(join(tmpdir(), 'pipe-terraform-'))
  try {
    // The files refer to ../policies and to the zips by their places.
    const work = join(copy, 'examples', 'example', 'terraform')
    cpSync(folder, work, { recursive: true, filter: (source) => !source.includes('.terraform') })
    const policies = join(dirname(folder), 'policies')
    if (existsSync(policies)) cpSync(policies, join(work, '..', 'policies'), { recursive: true })
    cpSync('out/bundles', join(copy, 'out', 'bundles'), { recursive: true })
    writeFileSync(join(work, 'offline_override.tf'), offline)
    const env = { ...process.env, TF_IN_AUTOMATION: '1', TF_CLI_CONFIG_FILE: '', ...prefixed(variables) }
    const terraform = (...args: string[]) => run('terraform', args, { cwd: work, env, maxBuffer: 64 * 1024 * 1024 })
    await terraform('init', '-backend=false', '-input=false', '-no-color', `-plugin-dir=${providers}`)
    const { stdout } = await terraform('plan', '-refresh=false', '-input=false', '-no-color', '-lock=false')
    return { summary: /^Plan: .*$/m.exec(stdout)?.[0] ?? 'no changes' }
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string }
    return { problem: stderr || message }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function prefixed(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`TF_VAR_${name}`, value]))
}
