// Compiles where pjrt.h agrees with go-xla's copy of PJRT's header: structures of the same size whose fields are at the
// same places, and functions at the same places of the table.

#include "pjrt_c_api.h"
#include "pjrt.h"

#define SIZE(ours, theirs) _Static_assert(sizeof(ours) == theirs##_STRUCT_SIZE, #ours)
#define FIELD(ours, our, theirs, their)                                                  \
	_Static_assert(offsetof(ours, our) == offsetof(theirs, their), #ours "." #our);      \
	_Static_assert(sizeof(((ours *)0)->our) == sizeof(((theirs *)0)->their), #ours "." #our)
#define FUNCTION(place, name)                                                                                              \
	_Static_assert(offsetof(api, functions) + place * sizeof(function) == offsetof(PJRT_Api, name), #place)

FIELD(api, struct_size, PJRT_Api, struct_size);
FIELD(api, version, PJRT_Api, pjrt_api_version);
FIELD(api, version.major, PJRT_Api, pjrt_api_version.major_version);
FIELD(api, version.minor, PJRT_Api, pjrt_api_version.minor_version);

FUNCTION(ERROR_DESTROY, PJRT_Error_Destroy);
SIZE(error_destroy_args, PJRT_Error_Destroy_Args);
FIELD(error_destroy_args, error, PJRT_Error_Destroy_Args, error);

FUNCTION(ERROR_MESSAGE, PJRT_Error_Message);
SIZE(error_message_args, PJRT_Error_Message_Args);
FIELD(error_message_args, error, PJRT_Error_Message_Args, error);
FIELD(error_message_args, message, PJRT_Error_Message_Args, message);
FIELD(error_message_args, message_size, PJRT_Error_Message_Args, message_size);

FUNCTION(PLATFORM_VERSION, PJRT_Client_PlatformVersion);
SIZE(platform_version_args, PJRT_Client_PlatformVersion_Args);
FIELD(platform_version_args, client, PJRT_Client_PlatformVersion_Args, client);
FIELD(platform_version_args, text, PJRT_Client_PlatformVersion_Args, platform_version);
FIELD(platform_version_args, size, PJRT_Client_PlatformVersion_Args, platform_version_size);

FUNCTION(DEVICES, PJRT_Client_AddressableDevices);
SIZE(devices_args, PJRT_Client_AddressableDevices_Args);
FIELD(devices_args, client, PJRT_Client_AddressableDevices_Args, client);
FIELD(devices_args, devices, PJRT_Client_AddressableDevices_Args, addressable_devices);
FIELD(devices_args, count, PJRT_Client_AddressableDevices_Args, num_addressable_devices);

FUNCTION(DESCRIBE, PJRT_Device_GetDescription);
SIZE(describe_args, PJRT_Device_GetDescription_Args);
FIELD(describe_args, device, PJRT_Device_GetDescription_Args, device);
FIELD(describe_args, description, PJRT_Device_GetDescription_Args, device_description);

FUNCTION(KIND, PJRT_DeviceDescription_Kind);
SIZE(kind_args, PJRT_DeviceDescription_Kind_Args);
FIELD(kind_args, description, PJRT_DeviceDescription_Kind_Args, device_description);
FIELD(kind_args, text, PJRT_DeviceDescription_Kind_Args, device_kind);
FIELD(kind_args, size, PJRT_DeviceDescription_Kind_Args, device_kind_size);

SIZE(program, PJRT_Program);
FIELD(program, code, PJRT_Program, code);
FIELD(program, code_size, PJRT_Program, code_size);
FIELD(program, format, PJRT_Program, format);
FIELD(program, format_size, PJRT_Program, format_size);

FUNCTION(COMPILE, PJRT_Client_Compile);
SIZE(compile_args, PJRT_Client_Compile_Args);
FIELD(compile_args, client, PJRT_Client_Compile_Args, client);
FIELD(compile_args, program, PJRT_Client_Compile_Args, program);
FIELD(compile_args, options, PJRT_Client_Compile_Args, compile_options);
FIELD(compile_args, options_size, PJRT_Client_Compile_Args, compile_options_size);
FIELD(compile_args, loaded, PJRT_Client_Compile_Args, executable);

FUNCTION(EXECUTABLE, PJRT_LoadedExecutable_GetExecutable);
SIZE(executable_args, PJRT_LoadedExecutable_GetExecutable_Args);
FIELD(executable_args, loaded, PJRT_LoadedExecutable_GetExecutable_Args, loaded_executable);
FIELD(executable_args, executable, PJRT_LoadedExecutable_GetExecutable_Args, executable);

FUNCTION(EXECUTABLE_DESTROY, PJRT_Executable_Destroy);
SIZE(executable_destroy_args, PJRT_Executable_Destroy_Args);
FIELD(executable_destroy_args, executable, PJRT_Executable_Destroy_Args, executable);

FUNCTION(NAME, PJRT_Executable_Name);
SIZE(name_args, PJRT_Executable_Name_Args);
FIELD(name_args, executable, PJRT_Executable_Name_Args, executable);
FIELD(name_args, text, PJRT_Executable_Name_Args, executable_name);
FIELD(name_args, size, PJRT_Executable_Name_Args, executable_name_size);

FUNCTION(LOADED_DESTROY, PJRT_LoadedExecutable_Destroy);
SIZE(loaded_destroy_args, PJRT_LoadedExecutable_Destroy_Args);
FIELD(loaded_destroy_args, loaded, PJRT_LoadedExecutable_Destroy_Args, executable);

FUNCTION(SERIALIZE, PJRT_Executable_Serialize);
SIZE(serialize_args, PJRT_Executable_Serialize_Args);
FIELD(serialize_args, executable, PJRT_Executable_Serialize_Args, executable);
FIELD(serialize_args, bytes, PJRT_Executable_Serialize_Args, serialized_bytes);
FIELD(serialize_args, size, PJRT_Executable_Serialize_Args, serialized_bytes_size);
FIELD(serialize_args, owner, PJRT_Executable_Serialize_Args, serialized_executable);
FIELD(serialize_args, free_owner, PJRT_Executable_Serialize_Args, serialized_executable_deleter);

FUNCTION(DESERIALIZE, PJRT_Executable_DeserializeAndLoad);
SIZE(deserialize_args, PJRT_Executable_DeserializeAndLoad_Args);
FIELD(deserialize_args, client, PJRT_Executable_DeserializeAndLoad_Args, client);
FIELD(deserialize_args, bytes, PJRT_Executable_DeserializeAndLoad_Args, serialized_executable);
FIELD(deserialize_args, size, PJRT_Executable_DeserializeAndLoad_Args, serialized_executable_size);
FIELD(deserialize_args, loaded, PJRT_Executable_DeserializeAndLoad_Args, loaded_executable);
FIELD(deserialize_args, options, PJRT_Executable_DeserializeAndLoad_Args, overridden_serialized_compile_options);
FIELD(deserialize_args, options_size, PJRT_Executable_DeserializeAndLoad_Args, overridden_serialized_compile_options_size);

FUNCTION(MEMORY, PJRT_Executable_GetCompiledMemoryStats);
SIZE(memory_args, PJRT_Executable_GetCompiledMemoryStats_Args);
FIELD(memory_args, executable, PJRT_Executable_GetCompiledMemoryStats_Args, executable);

FUNCTION(INITIALIZE, PJRT_Plugin_Initialize);
SIZE(initialize_args, PJRT_Plugin_Initialize_Args);

SIZE(named_value, PJRT_NamedValue);
FIELD(named_value, name, PJRT_NamedValue, name);
FIELD(named_value, name_size, PJRT_NamedValue, name_size);
FIELD(named_value, type, PJRT_NamedValue, type);
FIELD(named_value, text, PJRT_NamedValue, string_value);
FIELD(named_value, text_size, PJRT_NamedValue, value_size);

FUNCTION(TOPOLOGY_CREATE, PJRT_TopologyDescription_Create);
SIZE(topology_create_args, PJRT_TopologyDescription_Create_Args);
FIELD(topology_create_args, name, PJRT_TopologyDescription_Create_Args, topology_name);
FIELD(topology_create_args, options, PJRT_TopologyDescription_Create_Args, create_options);
FIELD(topology_create_args, options_count, PJRT_TopologyDescription_Create_Args, num_options);
FIELD(topology_create_args, topology, PJRT_TopologyDescription_Create_Args, topology);

FUNCTION(AHEAD, PJRT_Compile);
SIZE(ahead_args, PJRT_Compile_Args);
FIELD(ahead_args, topology, PJRT_Compile_Args, topology);
FIELD(ahead_args, program, PJRT_Compile_Args, program);
FIELD(ahead_args, options, PJRT_Compile_Args, compile_options);
FIELD(ahead_args, options_size, PJRT_Compile_Args, compile_options_size);
FIELD(ahead_args, client, PJRT_Compile_Args, client);
FIELD(ahead_args, executable, PJRT_Compile_Args, executable);

FUNCTION(OPTIMIZED, PJRT_Executable_OptimizedProgram);
SIZE(optimized_args, PJRT_Executable_OptimizedProgram_Args);
FIELD(optimized_args, executable, PJRT_Executable_OptimizedProgram_Args, executable);
FIELD(optimized_args, program, PJRT_Executable_OptimizedProgram_Args, program);

FUNCTION(CREATE, PJRT_Client_Create);
FIELD(create_args, options, PJRT_Client_Create_Args, create_options);
FIELD(create_args, options_count, PJRT_Client_Create_Args, num_options);
