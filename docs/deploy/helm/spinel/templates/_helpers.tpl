{{- define "spinel.fullname" -}}
{{- if contains "spinel" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-spinel" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "spinel.selectorLabels" -}}
app.kubernetes.io/name: spinel
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "spinel.labels" -}}
{{ include "spinel.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "spinel.secretName" -}}
{{- .Values.auth.existingSecret | default (include "spinel.fullname" .) -}}
{{- end -}}

{{/* Where clients come in: with TLS alone, `port` is 0. */}}
{{- define "spinel.port" -}}
{{- $port := int (get .Values.config "port" | default 0) -}}
{{- $tls := int (get .Values.config "tls-port" | default 0) -}}
{{- if and (hasKey .Values.config "port") (eq $port 0) -}}
{{- $tls -}}
{{- else -}}
{{- $port | default 6379 -}}
{{- end -}}
{{- end -}}

{{/* An option's value as the server spells it: YAML makes a truth of yes, and Helm 1e+09 of numbers. */}}
{{- define "spinel.option" -}}
{{- if kindIs "bool" . -}}
{{- ternary "yes" "no" . -}}
{{- else if and (kindIs "float64" .) (eq (float64 (int64 .)) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}
