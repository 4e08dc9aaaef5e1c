// Shows the document beside this page; nothing is asked of another host.
Scalar.createApiReference('#reference', {
  url: 'openapi.json',
  // The viewer does not resolve the document's relative address of the service.
  servers: [{ url: new URL('.', location.href).href.replace(/\/$/, '') }],
  pageTitle: 'VoMind Queue: API reference',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
});
