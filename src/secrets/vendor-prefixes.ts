/**
 * Beginnings by which clients recognise a key of their vendor: some refuse one without it. Sources: the vendors' own
 * reference pages (GitHub "token formats", GitLab "token prefixes", Stripe "API keys", Slack "token types", …) and the
 * rule set of gitleaks, config/gitleaks.toml. A longer prefix stands before one it begins with.
 *
 * Not here: AWS key ids (AKIA…, ASIA…). Sixteen characters behind the prefix do not hold 96 random bits, and a request signed
 * with placeholders is wrong anyway.
 */
export const VENDOR_PREFIXES: readonly string[] = [
  'sk-ant-admin01-', 'sk-ant-api03-', 'sk-ant-oat01-', 'sk-ant-', // Anthropic
  'sk-proj-', 'sk-svcacct-', 'sk-admin-', // OpenAI
  'sk-or-v1-', 'sk-or-', // OpenRouter
  'sk-', // OpenAI (older), DeepSeek, and many that speak the same API
  'sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'pk_live_', 'pk_test_', 'whsec_', // Stripe
  'github_pat_', 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', // GitHub
  'glpat-', 'gldt-', 'glcbt-', 'glptt-', 'glrt-', 'glsoat-', // GitLab
  'xoxb-', 'xoxp-', 'xoxe-', 'xoxa-', 'xoxr-', 'xapp-', // Slack
  'npm_', 'pypi-', 'rubygems_', 'dckr_pat_', // package and image registries
  'AIza', 'ya29.', // Google
  'hf_', 'r8_', 'gsk_', 'xai-', 'nvapi-', 'pplx-', 'tvly-', 'fw_', 'jina_', 'voyage-', 'pa-', // Hugging Face, Replicate, Groq, xAI, NVIDIA, Perplexity, Tavily …
  'dop_v1_', 'doo_v1_', 'dor_v1_', // DigitalOcean
  'SG.', 'key-', 'xkeysib-', 're_', // SendGrid, Mailgun, Brevo, Resend
  'shpat_', 'shpca_', 'shppa_', 'shpss_', // Shopify
  'sq0atp-', 'sq0csp-', 'EAAA', // Square
  'lin_api_', 'figd_', 'ntn_', 'secret_', 'PMAK-', 'phc_', 'phx_', 'sbp_', // Linear, Figma, Notion, Postman, PostHog, Supabase
  'sntrys_', 'sntryu_', 'glsa_', 'glc_', 'dapi', 'hvs.', 'hvb.', 'tskey-', 'dp.pt.', 'pul-', // Sentry, Grafana, Databricks, Vault, Tailscale, Doppler, Pulumi
];
