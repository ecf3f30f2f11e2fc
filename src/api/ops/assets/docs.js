// Starts Swagger UI on the document of the server that this page comes from.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  // A key is forgotten with the page.
  persistAuthorization: false,
  // No badge of somebody else's service.
  validatorUrl: null,
  // A query must not choose what this page shows.
  queryConfigEnabled: false,
});
