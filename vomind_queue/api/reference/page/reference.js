// Shows the document beside this page; nothing is asked of another host.
Scalar.createApiReference("#reference", {
  url: "openapi.json",
  pageTitle: "VoMind Queue: API reference",
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
});
