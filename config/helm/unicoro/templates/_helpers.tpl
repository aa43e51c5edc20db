{{- define "unicoro.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "unicoro.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "unicoro.secret" -}}
{{- .Values.adminToken.existingSecret | default (printf "%s-admin" (include "unicoro.name" .)) }}
{{- end }}

{{- define "unicoro.queueQuery" -}}
histogram_quantile(0.95, sum by (le) (rate(unicoro_http_request_queue_seconds_bucket{namespace="{{ .Release.Namespace }}", pod=~"{{ include "unicoro.name" . }}-.*"}[1m])))
{{- end }}
