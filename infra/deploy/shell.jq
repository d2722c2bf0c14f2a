# What is special about the pod of shell.sh.
{
  spec: {
    serviceAccountName: "adloop-pipeline",
    enableServiceLinks: false,
    securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: {type: "RuntimeDefault"}},
    containers: [
      {
        name: $name,
        image: $image,
        command: ["bash", "-c", "adloop() { python -m pipelines.cli \"$@\"; }; export -f adloop; exec bash"],
        stdin: true,
        tty: true,
        envFrom: [
          {configMapRef: {name: "adloop"}},
          {secretRef: {name: "adloop-services"}},
          {secretRef: {name: "adloop-verify"}},
          {secretRef: {name: "adloop-api-key"}}
        ],
        resources: {
          requests: {cpu: "250m", memory: "1Gi", "ephemeral-storage": "1Gi"},
          limits: {cpu: "2", memory: "8Gi", "ephemeral-storage": "10Gi"}
        },
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ["ALL"]}},
        volumeMounts: [{name: "state", mountPath: "/home/adloop"}, {name: "state", subPath: "tmp", mountPath: "/tmp"}]
      }
    ],
    volumes: [{name: "state", emptyDir: {sizeLimit: "8Gi"}}]
  }
}
